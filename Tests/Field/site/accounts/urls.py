from django.urls import include, path

from . import views

urlpatterns = [
    path("plain/", views.plain),
    path("count/", views.count),
    path("look/", views.look),
    path("signup/", views.signup),
    path("error/", views.error),
    path("caught/", views.caught),
    path("lock/", views.lock),
    path("act/<slug:what>/", views.act),
    path("slow/", views.slow),
    path("accounts/", include("django.contrib.auth.urls")),
    path("", include("polls.urls")),
]
