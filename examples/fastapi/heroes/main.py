"""The heroes and teams of SQLModel's tutorial, with fastapi-pagination and fastapi-filter."""

import os
import uuid
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, status
from fastapi_filter import FilterDepends
from fastapi_filter.contrib.sqlalchemy import Filter
from fastapi_pagination import LimitOffsetPage, Page, add_pagination
from fastapi_pagination.ext.sqlmodel import paginate
from sqlmodel import Field, Session, SQLModel, create_engine, func, select

engine = create_engine(
    f"sqlite:///{os.environ.get('HEROES_DB', 'heroes.db')}", connect_args={"check_same_thread": False}
)


class TeamBase(SQLModel):
    name: str = Field(index=True, min_length=1)
    headquarters: str


class Team(TeamBase, table=True):
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)


class TeamPublic(TeamBase):
    id: uuid.UUID


class TeamUpdate(SQLModel):
    name: str | None = None
    headquarters: str | None = None


class HeroBase(SQLModel):
    name: str = Field(index=True, min_length=1, max_length=60)
    age: int | None = Field(default=None, index=True, ge=0)
    strength: float = 1.0
    team_id: uuid.UUID = Field(foreign_key="team.id")


class Hero(HeroBase, table=True):
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)


class HeroPublic(HeroBase):
    id: uuid.UUID


class HeroCreate(HeroBase):
    pass


class HeroUpdate(SQLModel):
    name: str | None = None
    age: int | None = None
    strength: float | None = None


class Mission(SQLModel, table=True):
    id: uuid.UUID = Field(primary_key=True)
    title: str
    reward: int
    team_id: uuid.UUID = Field(foreign_key="team.id")


class TeamFilter(Filter):
    name__ilike: str | None = None
    headquarters: str | None = None
    order_by: list[str] = ["id"]

    class Constants(Filter.Constants):
        model = Team


class HeroFilter(Filter):
    name: str | None = None
    name__ilike: str | None = None
    age__gte: int | None = None
    age__lt: int | None = None
    age__isnull: bool | None = None
    team_id: uuid.UUID | None = None
    order_by: list[str] = ["id"]

    class Constants(Filter.Constants):
        model = Hero


def session() -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


SessionDep = Annotated[Session, Depends(session)]


@asynccontextmanager
async def lifespan(_: FastAPI):
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(title="Heroes", version="1.0.0", lifespan=lifespan)
add_pagination(app)


@app.get("/teams")
def list_teams(db: SessionDep, filters: TeamFilter = FilterDepends(TeamFilter)) -> Page[TeamPublic]:
    return paginate(db, filters.sort(filters.filter(select(Team))))


@app.post("/teams", status_code=status.HTTP_201_CREATED)
def create_team(team: TeamBase, db: SessionDep) -> TeamPublic:
    return _saved(db, Team.model_validate(team))


@app.get("/teams/{team_id}")
def read_team(team_id: uuid.UUID, db: SessionDep) -> TeamPublic:
    return _found(db, Team, team_id)


@app.patch("/teams/{team_id}")
def update_team(team_id: uuid.UUID, team: TeamUpdate, db: SessionDep) -> TeamPublic:
    found = _found(db, Team, team_id)
    found.sqlmodel_update(team.model_dump(exclude_unset=True))
    return _saved(db, found)


@app.delete("/teams/{team_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_team(team_id: uuid.UUID, db: SessionDep) -> None:
    db.delete(_found(db, Team, team_id))
    db.commit()


@app.get("/heroes")
def list_heroes(db: SessionDep, filters: HeroFilter = FilterDepends(HeroFilter)) -> Page[HeroPublic]:
    return paginate(db, filters.sort(filters.filter(select(Hero))))


@app.post("/heroes", status_code=status.HTTP_201_CREATED)
def create_hero(hero: HeroCreate, db: SessionDep) -> HeroPublic:
    if db.get(Team, hero.team_id) is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "Team not found")
    return _saved(db, Hero.model_validate(hero))


@app.get("/heroes/count")
def count_heroes(db: SessionDep, filters: HeroFilter = FilterDepends(HeroFilter)) -> dict[str, int]:
    return {"heroes": db.exec(filters.filter(select(func.count(Hero.id)))).one()}


@app.get("/heroes/{hero_id}")
def read_hero(hero_id: uuid.UUID, db: SessionDep) -> HeroPublic:
    return _found(db, Hero, hero_id)


@app.patch("/heroes/{hero_id}")
def update_hero(hero_id: uuid.UUID, hero: HeroUpdate, db: SessionDep) -> HeroPublic:
    found = _found(db, Hero, hero_id)
    found.sqlmodel_update(hero.model_dump(exclude_unset=True))
    return _saved(db, found)


@app.delete("/heroes/{hero_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_hero(hero_id: uuid.UUID, db: SessionDep) -> None:
    db.delete(_found(db, Hero, hero_id))
    db.commit()


@app.get("/missions")
def list_missions(db: SessionDep) -> LimitOffsetPage[Mission]:
    return paginate(db, select(Mission).order_by(Mission.reward.desc(), Mission.id))


@app.put("/missions/{mission_id}")
def put_mission(mission_id: uuid.UUID, mission: Mission, db: SessionDep) -> Mission:
    mission = Mission.model_validate(mission)
    return _saved(db, db.merge(mission))


@app.get("/missions/{mission_id}")
def read_mission(mission_id: uuid.UUID, db: SessionDep) -> Mission:
    return _found(db, Mission, mission_id)


@app.delete("/missions/{mission_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_mission(mission_id: uuid.UUID, db: SessionDep) -> None:
    db.delete(_found(db, Mission, mission_id))
    db.commit()


def _found(db: Session, model: type[SQLModel], identity: uuid.UUID):
    row = db.get(model, identity)
    if row is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"{model.__name__} not found")
    return row


def _saved(db: Session, row):
    db.add(row)
    db.commit()
    db.refresh(row)
    return row
