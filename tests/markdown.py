"""Markdown as models write it, or as somebody writes it who means harm, and what the arena makes of it."""

RICH = """\
# Plan

Some **bold**, *slanted* and ~~wrong~~ words, `code` and a [link](https://example.com/a_(b)).

1. one
   - inner
2. two

> quoted

| name | points |
|------|-------:|
| ann | 9 |

```python
print("<b>")
```"""
SHOWN = {
    "h3": "Plan",
    "strong": "bold",
    "em": "slanted",
    "del": "wrong",
    "ol > li:nth-child(2)": "two",
    "ol ul li": "inner",
    "blockquote": "quoted",
    "td.end": "9",
    ".code span": "python",
    "pre code": 'print("<b>")',
}
EVIL = """\
<img src=x onerror="window.hit = 1"> <script>window.hit = 1</script> \
[a](javascript:window.hit=1) [b](data:text/html,x) [c](//example.com) <javascript:window.hit=1>

```"><script>window.hit = 1</script>
</code></pre><script>window.hit = 1</script>
```"""
LINK = '<a href="https://j.k/l" target="_blank" rel="noopener noreferrer nofollow">'
MARKDOWN = {
    "# A\nb\nc": "<h3>A</h3><p>b<br>c</p>",
    "**a *b* c** _d_ __e__": "<p><strong>a <em>b</em> c</strong> <em>d</em> <strong>e</strong></p>",
    "f_g_h ~~i~~ https://j.k/l.": f"<p>f_g_h <del>i</del> {LINK}https://j.k/l</a>.</p>",
    r"2 * 3 * 4 \*no\* **open": "<p>2 * 3 * 4 *no* **open</p>",
    "`` a`b `` <b>": "<p><code>a`b</code> &lt;b&gt;</p>",
    "- b\n  - c\n\n  d\n- e\n\nf": (
        "<ul><li><p>b</p><ul><li>c</li></ul><p>d</p></li><li>e</li></ul><p>f</p>"
    ),
    "3. a\n4. b\n- c": '<ol start="3"><li>a</li><li>b</li></ol><ul><li>c</li></ul>',
    "> a\n> > b\n\n---": "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><hr>",
    "foo\n**bar**\n***": "<p>foo<br><strong>bar</strong></p><hr>",
    "[a](javascript:b) ![c](data:d)": "<p>[a](javascript:b) ![c](data:d)</p>",
}
