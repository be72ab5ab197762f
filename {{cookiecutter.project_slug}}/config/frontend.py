"""How long browsers keep what Vite has built: for ever, since a file there is named after what is in it."""

__all__ = ["SERVESTATIC_ADD_HEADERS_FUNCTION"]


def keep_for_ever(headers, path, url):
    if url.startswith("/static/app/assets/"):
        headers["Cache-Control"] = "max-age=31536000, public, immutable"


SERVESTATIC_ADD_HEADERS_FUNCTION = keep_for_ever
