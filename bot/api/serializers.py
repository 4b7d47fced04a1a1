"""Serializers of the bot's endpoints."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from momo.rest.serializers import ListField, OpenSerializer, StrictSerializer


class CommandSerializer(StrictSerializer):
    """A command with its arguments, or words without a slash."""

    command = serializers.CharField(max_length=1000, help_text="`/sales` 這樣的指令，或一句話，例如「上週蘭蔻業績」")
    args = ListField(
        child=serializers.CharField(max_length=500, allow_blank=True), default=list, max_length=50, help_text="參數"
    )
    confirmed = serializers.BooleanField(default=False, help_text="true 等於按下「確認」按鈕")
    pictures = serializers.BooleanField(default=False, help_text="true 時附上圖表；沒有要求就不畫")


class ButtonSerializer(serializers.Serializer[Any]):
    """A further command that the answer offers."""

    label = serializers.CharField()  # type: ignore[assignment]  # also an attribute of each serializer
    command = serializers.CharField()
    args = serializers.ListField(child=serializers.CharField())
    confirms = serializers.BooleanField(help_text="這個指令要以 `confirmed: true` 送出")


class PictureSerializer(serializers.Serializer[Any]):
    """The answer's picture."""

    name = serializers.CharField()
    alt = serializers.CharField(help_text="圖片內容的文字說明")
    png = serializers.CharField(help_text="PNG，base64")


class AnswerSerializer(OpenSerializer):
    """An answer; further members hold the same figures for programs, by command."""

    text = serializers.CharField(help_text="與 Telegram 相同的文字，Telegram 的 HTML")
    buttons = serializers.ListField(child=ButtonSerializer(many=True))
    picture = PictureSerializer(allow_null=True)


class UpdateSerializer(OpenSerializer):
    """An update of Telegram, of which only the id must be there."""

    update_id = serializers.IntegerField(min_value=0, max_value=2**63 - 1)
