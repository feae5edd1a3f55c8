"""The applications, in the order in which they run. A new one is a file here and a line in this table."""

from proof.strangers.application import Application
from proof.strangers.drf import Drf
from proof.strangers.fastapi_pagination import FastApi
from proof.strangers.json_server import JsonServer
from proof.strangers.json_server_beta import JsonServerBeta
from proof.strangers.parse_server import ParseServer
from proof.strangers.pocketbase import PocketBase
from proof.strangers.spring_data_rest import SpringDataRest

APPLICATIONS: tuple[type[Application], ...] = (
    JsonServer,
    JsonServerBeta,
    Drf,
    SpringDataRest,
    PocketBase,
    FastApi,
    ParseServer,
)
