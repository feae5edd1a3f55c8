"""Is the instance alive, and does its database answer?"""

from fastapi import APIRouter, Response
from sqlalchemy import text

from bookings.api.operation import Data
from bookings.api.replies import json_reply
from bookings.schemas.values import Failure, Health

router = APIRouter(tags=["health"])


@router.get(
    "/health",
    operation_id="get_health",
    response_model=Health,
    responses={"default": {"model": Failure, "description": "The database does not answer."}},
)
def get_health(database: Data) -> Response:
    with database.read() as connection:
        connection.execute(text("SELECT 1"))
    return json_reply({"status": "ok"})
