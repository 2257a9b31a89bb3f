"""Settings of the reference project, read from the environment. docs/running.md lists them."""

from urllib.parse import urlsplit

import celesta
from project import ROOT
from project.env import env, env_bool, env_broker, env_database, env_int, env_list, env_secret, home

# --- What kind of process this is -------------------------------------------------------------

DEBUG = env_bool("DEBUG")
SECRET_KEY = env_secret("SECRET_KEY", dev=DEBUG)
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")

# --- Where it is reached: everything about hosts and TLS follows from one URL -------------------

PUBLIC_URL = env("PUBLIC_URL", "http://localhost:8000").rstrip("/")
_public = urlsplit(PUBLIC_URL)
_https = _public.scheme == "https"
_LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS") or [
    *([_public.hostname] if _public.hostname else []),
    *(_LOOPBACK if _public.hostname in ("localhost", "127.0.0.1", "::1") else []),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL, *env_list("CSRF_TRUSTED_ORIGINS")]
SECURE_SSL_REDIRECT = _https and env_bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = env_int("SECURE_HSTS_SECONDS", 31_536_000) if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env_bool("BEHIND_PROXY"):  # the proxy must overwrite this header, or a client could forge it
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True

# --- Applications -------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",  # before django.contrib.admin: its templates replace the stock ones
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular_sidecar",
]
INSTALLED_APPS += celesta.APPS
INSTALLED_APPS += ["project", "examples", "examples.shared_tasks"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
WSGI_APPLICATION = "project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database -----------------------------------------------------------------------------------

_database = env_database()
_pool_size = env_int("DATABASE_POOL_SIZE", 0)
if _pool_size:  # web processes: many threads, few connections
    _options = {"pool": {"min_size": 1, "max_size": _pool_size, "timeout": 10}}
    _database["OPTIONS"] = {**_database["OPTIONS"], **_options}  # type: ignore[dict-item]
else:  # workers and commands: one connection, kept and checked before use
    _database["CONN_MAX_AGE"] = env_int("DATABASE_CONN_MAX_AGE", 60)
    _database["CONN_HEALTH_CHECKS"] = True
# pgbouncer in transaction mode cannot carry a cursor from one transaction to the next.
_database["DISABLE_SERVER_SIDE_CURSORS"] = env_bool("DATABASE_BEHIND_PGBOUNCER")

DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Celery -------------------------------------------------------------------------------------

CELERY_BROKER_URL = env_broker()
CELERY_RESULT_BACKEND = env("RESULT_BACKEND", "") or None  # for the team's own tasks only
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_TRACK_STARTED = True
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_PREFETCH_MULTIPLIER = env_int("WORKER_PREFETCH", 4, least=1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # the broker may be away for as long as it likes
CELERY_BROKER_CONNECTION_TIMEOUT = 5
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # a schedule made now is seen within five seconds
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- Celesta ------------------------------------------------------------------------------------

CELESTA: dict[str, object] = {"ARTIFACT_ROOT": env("ARTIFACT_ROOT", str(home() / "artifacts"))}

# --- Mail: into the log of the process that sends it, until a server is named --------------------

EMAIL_HOST = env("EMAIL_HOST", "")
_MAILERS = "django.core.mail.backends"
EMAIL_BACKEND = (
    f"{_MAILERS}.smtp.EmailBackend" if EMAIL_HOST else f"{_MAILERS}.console.EmailBackend"
)
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "celesta@localhost")

# --- Language, time, files ----------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

#: For who signs in with a ``next`` that leads elsewhere; the admin has no page of Django's default.
LOGIN_REDIRECT_URL = "/"

STATIC_URL = "static/"
STATIC_ROOT = env("STATIC_ROOT", str(ROOT / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Without collected files whitenoise serves straight from the applications.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = env_bool("STATIC_FROM_APPS", default=DEBUG)

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Logging ------------------------------------------------------------------------------------

LOG_LEVEL = env("LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"},
        "json": {"()": "project.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": env("LOG_FORMAT", "text")}
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "flower.command": {"level": "WARNING"},  # lists every task at each start
        "flower.inspector": {"level": "ERROR"},  # asks workers that are still starting, and again
    },
}

# --- The admin's theme --------------------------------------------------------------------------

from celesta.console.theme import UNFOLD  # noqa: E402, F401
