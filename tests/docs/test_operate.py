"""Each paragraph of the operating guide that says what happens is tried: by tests, or by faults of `make chaos`.

The table names them. A paragraph that is new, or begins otherwise, has no trial, and is found here.
"""

import re
from pathlib import Path
from typing import Final

import pytest

from proof.chaos.faults.table import all_faults

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/howto/operate.md").read_text()

NOTHING: Final = ("",)
"""It says only where something stands, or what somebody else must do."""

TRIED: dict[str, tuple[str, ...]] = {
    "Every field is in": NOTHING,
    "The compiled build gives the same answers": ("Makefile::test-compiled", "tests/bench/test_regression.py"),
    "Send signals to the supervisor": (
        "tests/process/test_upgrade.py::test_workers_do_not_take_the_signal_for_theirs",
    ),
    "| signal |": NOTHING,
    "| SIGTERM, SIGINT |": (
        "tests/process/test_supervisor.py::test_it_drains_when_it_is_told_to_end",
        "tests/process/test_supervisor.py::test_it_says_that_it_drains_before_it_takes_no_more",
        "tests/process/test_farewell.py::test_a_new_client_is_refused_at_once_while_a_request_under_way_is_answered",
        "tests/process/test_farewell.py::test_clients_that_wait_in_the_queue_at_the_end_are_answered",
        "tests/served/test_drain.py::test_a_request_that_did_not_end_within_the_drain_time_is_told_so",
        "chaos::deploy",
        "chaos::end and start",
    ),
    "| SIGHUP |": (
        "tests/process/test_reload.py::test_workers_and_addresses_may_change",
        "tests/process/test_reload.py::test_a_configuration_with_mistakes_is_told_whole_and_the_old_one_goes_on",
        "tests/process/test_reload.py::test_no_request_fails_while_configurations_come_and_go",
        "chaos::reload",
        "chaos::reload, wrong",
    ),
    "| SIGUSR1 |": ("tests/process/test_counting.py::test_a_log_that_was_renamed_goes_on_in_a_new_file",),
    "A terminal that is closed": (
        "tests/process/test_supervisor.py::test_it_ends_with_the_terminal_that_it_was_started_in",
        "tests/process/test_supervisor.py::test_a_hangup_that_all_of_its_processes_hear_is_no_crash",
    ),
    "`serve --listen` and `--workers` win": (
        "tests/process/test_reload.py::test_what_the_command_says_wins_at_a_reload_too",
    ),
    "A worker that dies is replaced at once": (
        "tests/process/test_counting.py::test_a_dead_worker_is_replaced_at_once_and_no_count_is_lost",
        "tests/process/test_watchdog.py::test_a_worker_that_is_silent_for_too_long_is_killed_and_replaced",
        "tests/process/test_watchdog.py::test_the_clients_of_a_worker_that_cannot_start_are_answered_by_another",
        "chaos::worker killed",
        "chaos::worker stopped",
        "chaos::workers killed in a loop",
    ),
    "With systemd:": NOTHING,
    "`KillMode=mixed` sends SIGTERM": (
        "tests/process/test_supervisor.py::test_a_worker_that_does_not_end_is_killed_when_its_time_is_over",
    ),
    "A restart refuses connections": ("chaos::end and start", "chaos::deploy"),
    "Clients that come during the restart": (
        "tests/process/test_passed_sockets.py::test_a_restart_on_a_socket_that_stays_open_fails_no_request",
        "chaos::restart with its socket",
    ),
    "Install the new version": (
        "tests/process/test_upgrade.py::test_a_new_version_takes_over_under_load_and_no_request_fails",
        "chaos::upgrade in place",
    ),
    "Where the new version does not come": (
        "tests/process/test_upgrade.py::test_a_new_version_that_cannot_start_changes_nothing",
    ),
    "With systemd, write `Type=notify`": (
        "tests/process/test_upgrade.py::test_a_service_manager_is_told_which_process_counts",
    ),
    "The store is locked by another process": ("chaos::store locked", "chaos::store read-only", "chaos::store gone"),
    "| a client reads |": NOTHING,
    "| 503, SG4002 |": (
        "tests/served/changes/test_store_trouble.py::test_a_store_that_is_full_refuses_changes_and_nothing_is_sent",
        "chaos::disk full",
    ),
    "| 500, SG4003, with a status link |": (
        "tests/served/changes/test_store_trouble.py"
        "::test_a_change_whose_outcome_cannot_be_written_down_is_finished_once_it_can",
    ),
    "| 503, SG4004 |": (
        "tests/served/test_drain.py::test_a_request_that_did_not_end_within_the_drain_time_is_told_so",
    ),
    "The log says `the store cannot be written": (
        "tests/served/changes/test_store_trouble.py"
        "::test_a_change_whose_outcome_cannot_be_written_down_is_finished_once_it_can",
        "chaos::worker killed + store locked",
    ),
    "Changes by `every` wait for each other": (
        "tests/served/changes/test_waiting_changes.py::test_one_more_than_may_wait_is_refused_at_once",
        "tests/served/changes/test_waiting_changes.py::test_a_change_whose_client_left_while_it_waited_is_not_made",
    ),
    "The clock of the machine may be set": (
        "tests/process/test_clock_jumps.py::test_a_clock_that_goes_back_an_hour_holds_up_no_change",
        "chaos::clock ahead",
        "chaos::clock back",
    ),
    "A worker that is asked for more than it can do": ("chaos::overload", "chaos::replica killed + overload"),
    "- It begins when the event loop": (
        "tests/core/clients/test_shedding.py::test_a_burst_refuses_nobody",
        "tests/core/clients/test_shedding.py::test_an_overload_is_over_when_nothing_was_refused_for_a_while",
    ),
    "- Meanwhile pages of lists are made in turns of 5 ms": (
        "tests/engine/gather/test_short_gather.py::test_while_there_is_too_much_to_do_pages_wait_for_a_turn",
        "tests/core/clients/test_shedding.py::test_while_it_sheds_merges_may_wait_for_their_turn_and_the_loop_may_not_be_late",
        "tests/core/clients/test_shedding.py::test_fewer_are_taken_on_the_later_the_loop_is_and_no_fewer_than_some",
        "tests/core/clients/test_shedding.py::test_keyed_requests_beside_too_many_lists_are_hardly_ever_refused",
    ),
    "- Clients with more than an equal part": (
        "tests/core/clients/test_shedding.py::test_a_client_with_more_than_its_part_leaves_as_many_places_as_it_has",
        "chaos::greedy partner",
    ),
    "- With [`clients.classes`]": (
        "tests/served/clients/test_priorities.py::test_the_last_class_is_refused_first_and_at_once",
        "chaos::overload of one class",
    ),
    "- Connections that waited for a worker": (
        "tests/clients/test_loads.py::test_what_waited_for_a_worker_to_begin_is_taken_on",
        "tests/clients/test_loads.py::test_a_backlog_that_does_not_end_spares_nobody_for_long",
    ),
    "Each worker decides for itself": NOTHING,
    "A worker needs a descriptor": (
        "tests/process/test_descriptors.py::test_the_soft_limit_is_raised_to_what_is_needed",
        "tests/process/test_descriptors.py::test_where_the_limit_is_too_low_fewer_clients_are_taken_and_the_log_says_so",
        "tests/process/test_descriptors.py::test_check_says_it",
        "tests/process/test_descriptors.py::test_that_none_is_left_is_said_once_a_minute",
    ),
    "| path on the admin address |": NOTHING,
    "| `/healthz` |": ("tests/observe/test_admin.py::test_there_are_three_pages_to_be_read",),
    "| `/readyz` |": (
        "tests/served/observe/test_metrics.py::test_ready_says_503_only_when_no_shard_can_be_reached",
        "tests/observe/test_admin.py::test_a_gateway_that_ends_is_not_ready_and_still_says_so",
    ),
    "| `/metrics` |": ("tests/served/observe/test_metrics.py::test_names_and_units_are_as_prometheus_wants_them",),
    "When one shard of several is down": (
        "tests/served/observe/test_metrics.py::test_ready_says_503_only_when_no_shard_can_be_reached",
        "chaos::shard gone",
    ),
    "The admin address has no password": (
        "tests/observe/test_admin.py::test_a_page_cannot_let_its_own_name_lead_to_the_admin_address",
        "tests/served/observe/test_metrics.py::test_no_label_comes_from_a_client",
    ),
    "A shard's `url` may have a name": (
        "tests/net/upstream/test_dialler.py::test_a_silent_address_of_a_name_does_not_fail_the_shard",
        "tests/net/upstream/test_dialler.py::test_connections_are_given_up_once_the_name_has_other_addresses",
        "tests/net/upstream/test_names.py"
        "::test_a_name_that_cannot_be_resolved_any_more_is_connected_to_its_last_addresses",
        "chaos::name changes",
    ),
    "`shardgate check --strict` fails": (
        "tests/cli/test_commands.py::test_check_warns_of_dangerous_choices_and_fails_only_if_it_is_strict",
    ),
}


def paragraphs() -> list[str]:
    """What happens, up to the tables of members and metrics, which another test compares with the sources."""
    text = re.sub(r"```.*?```", "", PAGE.split("## The access log")[0], flags=re.DOTALL)
    found = [" ".join(piece.split()) for piece in re.split(r"\n\s*\n|\n(?=[-|])", text)]
    return [piece for piece in found if piece and not piece.startswith("#") and not re.fullmatch(r"[|\- ]+", piece)]


def test_every_paragraph_is_tried() -> None:
    said = paragraphs()
    assert len(said) > 35
    assert [piece for piece in said if not any(piece.startswith(begin) for begin in TRIED)] == []
    assert [begin for begin in TRIED if not any(piece.startswith(begin) for piece in said)] == []


@pytest.mark.parametrize("trial", sorted({trial for trials in TRIED.values() for trial in trials if trial}))
def test_every_trial_is_there(trial: str) -> None:
    place, _, name = trial.partition("::")
    if place == "chaos":
        assert name in {fault.name for fault in all_faults()}
    elif place == "Makefile":
        assert re.search(rf"^{name}:", (ROOT / place).read_text(), re.MULTILINE)
    else:
        assert re.search(rf"^(async )?def {name}", (ROOT / place).read_text(), re.MULTILINE)
