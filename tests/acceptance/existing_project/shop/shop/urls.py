from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from apps.orders.api import OrderViewSet

router = SimpleRouter()
router.register("orders", OrderViewSet)

urlpatterns = [
    path("admin/", admin.site.urls),
    path(
        "api/schema/", SpectacularAPIView.as_view(permission_classes=[], authentication_classes=[])
    ),
    path("api/", include(router.urls)),
]
