"""For any WSGI server in a copy of the repository: `wsgi:app`. Where only the package is, `commentsvc.wsgi:app`."""

from commentsvc.wsgi import app as app
