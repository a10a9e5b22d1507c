"""For any WSGI server: `wsgi:app`, configured by the `COMMENTSVC_*` variables and `settings.env`."""

import os

from commentsvc import create_app
from commentsvc.integrations import settings_file

app = create_app(settings_file.settings(os.environ))
