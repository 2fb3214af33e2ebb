"""A Spark cluster of processes on loopback: a master, and workers of one core each."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pyspark

HOME = pathlib.Path(pyspark.__file__).parent


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Cluster:
    def __init__(self, work: pathlib.Path, workers: int) -> None:
        self.work = work
        self.environment = {
            **os.environ,
            "SPARK_HOME": str(HOME),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(work),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_DAEMON_MEMORY": "256m",
        }
        self.port, self.web = free_port(), free_port()
        self.master = f"spark://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start("master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1",
                    "--port", self.port, "--webui-port", self.web)
        self.workers = [
            self._start(f"worker-{number}", "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1",
                        "--cores", 1, "--memory", "1500m", "--webui-port", free_port(),
                        "--work-dir", work / f"worker-{number}", self.master)
            for number in range(workers)
        ]
        self._await_workers(workers)

    def _start(self, name: str, main: str, *arguments: object) -> subprocess.Popen[bytes]:
        command = [HOME / "bin/spark-class", main, *arguments]
        with open(self.work / f"{name}.log", "wb") as log:
            process = subprocess.Popen([str(each) for each in command], env=self.environment, stdout=log,
                                       stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def _await_workers(self, workers: int) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if json_of(f"http://127.0.0.1:{self.web}/json/").get("aliveworkers") == workers:
                    return
            except OSError:
                pass
            time.sleep(0.3)
        logs = "\n".join(log.read_text()[-2000:] for log in self.work.glob("*.log"))
        raise TimeoutError(f"the workers did not come up\n{logs}")

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """A machine that is gone: the worker, its executor and the executor's Python processes at once."""
        os.killpg(worker.pid, signal.SIGSTOP)
        for child in reversed(descendants(worker.pid)):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        worker.wait()

    def stop(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                self.kill(process)


def descendants(pid: int) -> list[int]:
    """A process and all below it, from the top."""
    found = [pid]
    for parent in found:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                pass
    return found


def json_of(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
