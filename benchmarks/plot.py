"""Bar charts as SVG, which follow the reader's light or dark theme."""

from xml.sax.saxutils import escape

WIDTH, LABELS, ROW, HEAD = 760, 250, 26, 34
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .bar { fill: #9aa4b0 }
  .ours { fill: #0a7d5a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .bar { fill: #6b7683 }
    .ours { fill: #2fbf8f }
  }
"""


def chart(panels, ours):
    """An SVG of panels, `[(title, {label: figure})]`, one below the other; the bar of `ours` stands out."""
    parts, y = [], 0
    for title, figures in panels:
        parts.append(f'<text class="title" x="0" y="{y + 22}">{escape(title)}</text>')
        y += HEAD
        scale = (WIDTH - LABELS - 90) / max(figures.values())
        for label, figure in figures.items():
            width = max(1, figure * scale)
            kind = "bar ours" if label == ours else "bar"
            size = f'width="{width:.0f}" height="{ROW - 8}"'
            value = f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}"
            parts += [
                f'<text x="{LABELS - 10}" y="{y + 17}" text-anchor="end">{escape(label)}</text>',
                f'<rect class="{kind}" x="{LABELS}" y="{y + 4}" {size} rx="3"/>',
                f'<text x="{LABELS + width + 8:.0f}" y="{y + 17}">{value}</text>',
            ]
            y += ROW
        y += 14
    size = f'width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">', f"<style>{STYLE}</style>", *parts]
    return "\n".join([*lines, "</svg>\n"])
