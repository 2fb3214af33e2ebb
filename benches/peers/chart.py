"""A chart of bars as SVG: two a tool, legible on light and dark ground."""

BAR, GAP, LEFT, WIDTH = 16, 14, 96, 720


def bar_chart(rows):
    """`rows` of a name and millions of records a second, plain and gzipped (or none)."""
    longest = max(value for _, *values in rows for value in values if value)
    scale = (WIDTH - LEFT - 70) / longest
    parts, top = [], 34
    for name, *values in rows:
        colour = "#d9480f" if name == "cdrlake" else "#868e96"
        parts.append(f'<text x="{LEFT - 8}" y="{top + BAR + 4}" text-anchor="end">{name}</text>')
        for value, opacity in zip(values, (1, 0.55)):
            if value:
                parts.append(
                    f'<rect x="{LEFT}" y="{top}" width="{max(value * scale, 1):.1f}" height="{BAR - 2}" '
                    f'fill="{colour}" fill-opacity="{opacity}"/>'
                    f'<text x="{LEFT + value * scale + 6:.1f}" y="{top + BAR - 4}">{value:.2f}</text>'
                )
            top += BAR
        top += GAP
    title = "Million records a second, two threads: plain file above, .gz below"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" '
        f'aria-label="{title}"><style>text {{ font: 13px sans-serif; fill: #495057 }} '
        f"@media (prefers-color-scheme: dark) {{ text {{ fill: #ced4da }} }}</style>"
        f'<text x="{LEFT}" y="18">{title}</text>{"".join(parts)}</svg>\n'
    )
