"""An optional application: ``INSTALLED_APPS = [..., "tuile.django.sessions"]`` has `manage.py check` look at the settings."""
