"""The application, put together by hand: settings in, ASGI app out.

Holds: everything that lives as long as the app is made here and hangs on `app.state`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from bookings.api import (
    availability,
    categories,
    coupons,
    dates,
    events,
    health,
    oauth,
    octo,
    octo_bookings,
    order_children,
    orders,
    problems,
    reports,
    users,
    vendors,
    vouchers,
)
from bookings.api.middleware import Conventions
from bookings.background import Repeated
from bookings.clock import Clock, instant, utc_now
from bookings.database import Database
from bookings.document import describe
from bookings.identity.guard import Guard
from bookings.identity.quota import Quota
from bookings.identity.tokens import Tokens
from bookings.settings import Settings
from bookings.trade.expiry import Expiry

ROUTERS = (
    health, oauth, categories, vendors, events, dates, availability, orders, order_children,
    coupons, vouchers, users, reports, octo, octo_bookings,
)  # fmt: skip


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    database = Database(settings.database)
    quota = Quota(database, settings.calls_a_month, clock)
    expiry = Repeated("expiry", Expiry(database, clock).sweep)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(quota.start, settings.usage_flush_s)
        expiry.start(settings.expiry_sweep_s)
        yield
        await run_in_threadpool(expiry.stop)
        await run_in_threadpool(quota.stop)
        database.close()

    app = FastAPI(
        title="bookings",
        version="3.0.0",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.database = database
    app.state.tokens = Tokens(settings.secret, settings.token_lifetime_s, clock)
    app.state.guard = Guard(app.state.tokens, quota)
    app.state.octo_endpoint = settings.octo_endpoint
    app.state.now = lambda: instant(clock())
    for module in ROUTERS:
        app.include_router(module.router)
    problems.install(app)
    app.add_middleware(Conventions)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    return app
