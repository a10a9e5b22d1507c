"""For any WSGI server: `wsgi:app`, configured by the `COMMENTSVC_*` variables and `settings.env`."""

import os

from commentsvc import create_app
from commentsvc.adapters import settings_file
from commentsvc.config import Settings

app = create_app(Settings.from_env(settings_file.merged(os.environ)))
