"""``path("account/devices/", include("tuile.django.sessions.urls"))``"""

from __future__ import annotations

from django.urls import path

from .views import devices

app_name = "tuile_sessions"
urlpatterns = [path("", devices, name="devices")]
