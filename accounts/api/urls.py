"""Paths below /api/."""

from django.urls import path

from accounts.api import views

urlpatterns = [
    path("user/change_password", views.ChangePasswordView.as_view()),
    path("users", views.UserListView.as_view()),
    path("users/login_history", views.LoginHistoryView.as_view()),
    path("users/<int:user_id>", views.UserView.as_view()),
    path("users/<int:user_id>/reset_password", views.ResetPasswordView.as_view()),
]
