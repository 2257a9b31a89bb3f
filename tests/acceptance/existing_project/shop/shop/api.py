from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler


class Enveloped(JSONRenderer):
    """Everything the shop says comes in an envelope."""

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return super().render({"shop": data}, accepted_media_type, renderer_context)


def sorry(error, context):
    """Every error of the shop's API begins with an apology."""
    answer = exception_handler(error, context)
    return answer and Response({"sorry": str(error)}, status=answer.status_code)


def mark(result, generator, request, public):
    """Say whose document it is; only the shop's own may be marked."""
    return {**result, "x-shop": True}
