"""For any WSGI server: `commentsvc.wsgi:app`, configured by the `COMMENTSVC_*` variables and `settings.env`."""

from __future__ import annotations

import os

from commentsvc import create_app
from commentsvc.integrations import settings_file

app = create_app(settings_file.settings(os.environ))
