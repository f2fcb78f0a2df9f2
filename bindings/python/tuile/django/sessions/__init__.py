"""An optional application: ``INSTALLED_APPS = [..., "tuile.django.sessions"]``.

With it users' sessions are listed where sessions are in Django's database, after `manage.py migrate`; the admin
has a page of live sessions; ``include("tuile.django.sessions.urls")`` is a page where users see, and end, their own;
and `manage.py check` looks at the settings.
"""
