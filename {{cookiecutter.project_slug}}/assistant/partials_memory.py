"""Partials: the text so far of answers that are being written.

The in-memory layer means one process, so a dictionary knows it all.
"""

_texts: dict[int, str] = {}


async def keep(message_id: int, text: str, kept: int) -> None:
    """Keep the text so far, of which so many characters were kept already."""
    _texts[message_id] = text


async def read(message_id: int) -> str:
    """Return the text so far; nothing if none is kept."""
    return _texts.get(message_id, "")


async def forget(message_id: int) -> None:
    """The text is in the database now."""
    _texts.pop(message_id, None)
