from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from apps.people.models import Person


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request):
        key = request.headers.get("X-Shop-Key")
        if not key:
            return None
        person = Person.objects.filter(key=key).first()
        if person is None:
            raise AuthenticationFailed("unknown key")
        return person, None

    def authenticate_header(self, request):
        return "Shop"


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = KeyAuthentication
    name = "shopKey"

    def get_security_definition(self, auto_schema):
        return {"type": "apiKey", "in": "header", "name": "X-Shop-Key"}
