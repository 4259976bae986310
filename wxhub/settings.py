"""All settings, out of the environment. Development starts with none set; production refuses what matters and is missing."""

from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from wxhub.database import database
from wxhub.env import (
    BASE_DIR,
    base_url,
    base_urls,
    env,
    field_keys,
    is_loopback,
    log_format,
    mail,
    one_of,
    optional_secret,
    required,
    secret,
    webhooks,
)
from wxhub.theme import UNFOLD as UNFOLD

# What this is and where it runs.
DEBUG = env.bool("DEBUG", True)
SECRET_KEY = secret("SECRET_KEY", debug=DEBUG, development="development-only-key-of-a-machine-nobody-else-reaches")
FIELD_KEYS = field_keys(debug=DEBUG, secret_key=SECRET_KEY)
required("PUBLIC_URL", debug=DEBUG, development="-")
PUBLIC_URL = base_url("PUBLIC_URL", "http://127.0.0.1:8000")
_public = urlsplit(PUBLIC_URL)
if DEBUG and not is_loopback(_public.hostname):
    raise ImproperlyConfigured(f"PUBLIC_URL is public ({PUBLIC_URL}) while DEBUG is on. Set DEBUG=false.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or [
    _public.hostname or "localhost",
    "localhost",
    "127.0.0.1",
    "[::1]",
]
HTTPS = _public.scheme == "https"
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)  # how many proxies in front of us may be believed

# The platform. Plain http is accepted to a loopback address only (the simulator).
WECHAT_API_BASE = base_url("WECHAT_API_BASE", "https://api.weixin.qq.com")
WECHAT_MP_BASE = base_url("WECHAT_MP_BASE", "https://mp.weixin.qq.com")
WECHAT_OPEN_BASE = base_url("WECHAT_OPEN_BASE", "https://open.weixin.qq.com")
# Where the avatars that people agree to show may lie: no page loads a picture of anybody else.
WECHAT_AVATAR_ORIGINS = base_urls("WECHAT_AVATAR_ORIGINS", ["https://thirdwx.qlogo.cn", "https://wx.qlogo.cn"])
# Full addresses of three calls, with the placeholders of the source documents; they follow WECHAT_API_BASE by default.
WECHAT_SEND_MESSAGE = base_url(
    "WECHAT_SEND_MESSAGE", f"{WECHAT_API_BASE}/cgi-bin/message/custom/send?access_token=##TOKEN##"
)
WECHAT_PUBLIC_GET_ACCESS_TOKEN = base_url(
    "WECHAT_PUBLIC_GET_ACCESS_TOKEN",
    f"{WECHAT_API_BASE}/cgi-bin/token?grant_type=client_credential&appid=##APPID##&secret=##APPSECRET##",
)
WECHAT_PUBLIC_GET_TEMPORARY_TICKET = base_url(
    "WECHAT_PUBLIC_GET_TEMPORARY_TICKET", f"{WECHAT_API_BASE}/cgi-bin/qrcode/create?access_token=##TOKEN##"
)
WECHAT_JSSDK_URL = base_url("WECHAT_JSSDK_URL", "https://res.wx.qq.com/open/js/jweixin-1.6.0.js")
WECHAT_TIMESTAMP_TOLERANCE = env.int("WECHAT_TIMESTAMP_TOLERANCE", 300)  # seconds a push's timestamp may be off; 0: any
WECHAT_QR_EXPIRE_SECONDS = env.int("WECHAT_QR_EXPIRE_SECONDS", 1800)
# How many quotes visitors may make themselves in an hour: one of them, and all together.
INSTANT_QUOTES_PER_ADDRESS = env.int("INSTANT_QUOTES_PER_ADDRESS", 30)
INSTANT_QUOTES_PER_HOUR = env.int("INSTANT_QUOTES_PER_HOUR", 600)
# Defaults of the card's rows for an account that has none of its own.
WECHAT_MESSAGE_TITLE = env.str("WECHAT_MESSAGE_TITLE", "您的装修报价已生成")
WECHAT_MESSAGE_BRIEF = env.str(
    "WECHAT_MESSAGE_BRIEF",
    "建筑面积约 ##ROOMAREA## ㎡，报价 ##TOTALBUDGET## 元，市场价 ##MARKETBUDGET## 元，为您节省 ##SAVEMONEY## 元。",
)
WECHAT_MESSAGE_PICURL = env.str("WECHAT_MESSAGE_PICURL", f"{PUBLIC_URL}/static/img/card.png")
WECHAT_REDIRECT_URL_PRE = env.str("WECHAT_REDIRECT_URL_PRE", "")

# Mail to staff: notices about the account (wechat.notices).
SENDS_MAIL = bool(env.str("EMAIL_URL", ""))
globals().update(mail())  # EMAIL_BACKEND, EMAIL_HOST …
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "") or f"WxHub <wxhub@{_public.hostname}>"
# And to a group chat of theirs (wechat.webhooks); and what the firm's monitoring must know to read /metrics.
ALARM_WEBHOOKS = webhooks("ALARM_WEBHOOKS", debug=DEBUG)
METRICS_TOKEN = optional_secret("METRICS_TOKEN")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "axes",
    "csp",
    "django_otp",
    "wechat",
    "orders",
]

MIDDLEWARE = [
    "wxhub.middleware.Headers",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "wxhub.middleware.Refusals",
    "wxhub.middleware.KeysOverHttps",
    "wxhub.middleware.AdminPolicy",
    "wxhub.middleware.NoNul",
    "wxhub.middleware.SizeLimit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "wechat.admin.gate.StaffGate",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "wxhub.urls"
WSGI_APPLICATION = "wxhub.wsgi.application"
# The callback answers with and without a slash by its own routes; nothing else may turn a push into a redirect.
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wechat.admin.notices.banners",
            ],
        },
    },
]

# Storage. SQLite needs WAL and IMMEDIATE: without them most of several callbacks at once fail with "database is locked".
# NORMAL keeps every answered push when a process is killed, FULL also when the power is cut; it costs half of the speed.
DATABASES = {"default": database(BASE_DIR / "wxhub.sqlite3")}
# Pushes that the database does not take wait here until it does; on the disk of this machine, beside no public folder.
SPOOL_DIR = env.str("SPOOL_DIR", "") or BASE_DIR / "spool"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", "")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# People.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a stranger cannot lock the owner out from elsewhere
AXES_CLIENT_IP_CALLABLE = "wxhub.middleware.client_address"
AXES_HANDLER = "wxhub.signin.Handler"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # who goes on trying neither prolongs it nor makes rows
AXES_VERBOSE = False
SIGN_IN_FAILURES_PER_ADDRESS = 10  # in the time of AXES_COOLOFF_TIME, whatever names were tried
# Who must take a second step to sign in: off (nobody; who has set one up is asked all the same), managers, or all.
STAFF_OTP = one_of("STAFF_OTP", ("off", "managers", "all"))

# The web's own fences.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_SECONDS = 60 * env.int("SESSION_IDLE_MINUTES", 120)  # staff who do nothing for so long sign in again
SESSION_ABSOLUTE_SECONDS = 3600 * env.int("SESSION_HOURS", 12)  # and in any case after so long
if HTTPS:  # a browser takes a cookie of such a name from this very host only, and over https
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # they name people: nothing for a cookie
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^wechat/[^/]+/callback/?$", r"^healthz$", r"^readyz$", r"^metrics$", r"^api/(?!docs/)"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "no-referrer"
X_FRAME_OPTIONS = "DENY"
# Pages that the simulator's phone shows in a frame: the demo names its address here, nobody else needs it. The policy's
# frame-ancestors takes its place where it is set; X-Frame-Options knows no list.
FRAME_ANCESTORS = env.list("FRAME_ANCESTORS", default=[])
if FRAME_ANCESTORS:
    MIDDLEWARE.remove("django.middleware.clickjacking.XFrameOptionsMiddleware")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", *WECHAT_AVATAR_ORIGINS],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": FRAME_ANCESTORS or [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
REQUEST_MAX_SIZE = 16 * 1024 * 1024  # bytes of a whole request, refused before it is read; the largest upload has 10 MB

# Language, time, files.
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "wxhub" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
MEDIA_ROOT = env.str("MEDIA_ROOT", "") or BASE_DIR / "media"  # has no address: the admin shows a file to who may see it
# `make install` collects and compresses the files; without that, or in development, they are served where they lie.
WHITENOISE_USE_FINDERS = DEBUG or not STATIC_ROOT.exists()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "WxHub",
    "VERSION": "1",
    "DESCRIPTION": "Create quotes and follow what becomes of them. Send your key as `Authorization: Api-Key …`.",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "wechat.api_schema.with_refusals",
    ],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "wechat.redaction.OneLine", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "wechat.redaction.JsonLine"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": log_format()}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"level": "INFO", "handlers": ["console"], "propagate": False},
        "django.request": {"level": "ERROR"},  # what is refused has a line of ours
        "django.server": {"level": "WARNING", "handlers": ["console"], "propagate": False},
        "axes": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},  # its debug lines hold whole addresses, and these hold tokens
    },
}
