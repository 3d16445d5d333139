"""What gunicorn loads: the web program with the settings of the environment and the engine of the domain."""

from __future__ import annotations

from webapp import composition, logs
from webapp import config as settings
from webapp.app import create_app

config = settings.load()
logs.configure(config.log_level)
composition.build_engine(config)
app = create_app(config)
