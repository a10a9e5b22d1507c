"""For any WSGI server: `wsgi:app`, configured by the `COMMENTSVC_*` variables."""

from commentsvc import create_app

app = create_app()
