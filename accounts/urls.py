"""Login, logout and password pages, at the root of the site."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login", views.LoginView.as_view(), name="login"),
    path("logout", views.logout_view, name="logout"),
    path("change_password", views.ChangePasswordView.as_view(), name="change_password"),
]
