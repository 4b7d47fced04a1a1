"""Wires the pages into Django, after the apps whose own pages they replace."""

from __future__ import annotations

from django.apps import AppConfig


class PackagesConfig(AppConfig):
    """Has no models; its `admin` replaces pages of packages, its `nav` brings their entries of the sidebar."""

    name = "momo.admin.packages"
    label = "packages"
