"""What stands in the way of a request: each is an error that names it, and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..build.manifest import together
from ..build.tolerances import way_out
from ..errors import Away, BadData, BadRequest
from ..model.ledger_facts import Known
from ..model.observations import Seen
from ..names import Build, Release
from ..requests import Request
from ..settings import Settings
from ..verdicts import BAD, GATE
from .plan import Plan


def is_quorum(settings: Settings, seen: Seen) -> bool:
    """Whether so many web nodes answer that a release may go live."""
    web = settings.having("web")
    there = [node for node in web if node not in seen.absent]
    return bool(there) and len(there) * 100 >= len(web) * settings.golive.quorum_percent


def check_quorum(settings: Settings, seen: Seen) -> None:
    """Too few web nodes answer, or the proxy does not."""
    if not is_quorum(settings, seen):
        web = settings.having("web")
        gone = [node for node in web if node in seen.absent]
        why = "".join(f"; {node} {seen.away(node)}" for node in gone if node in seen.troubles)
        raise BadRequest(
            f"only {len(web) - len(gone)} of {len(web)} web nodes answer "
            f"({', '.join(gone)} do not{why})",
            "bring them back, or lower wormbase:golive:quorum_percent",
        )
    if settings.proxy in seen.absent:
        raise Away(
            f"the proxy {settings.proxy} {seen.away(settings.proxy)}",
            "bring it back first",
            [settings.proxy],
        )


def check_verdicts(plan: Plan, known: Known) -> None:
    """A build that is marked bad does not go live, nor one that is held."""
    if not (plan.seals or plan.request.minor):
        return
    build = plan.request.named
    bad, hold = known.verdict(BAD, build), known.hold(build)
    if bad and not plan.idle:
        raise BadRequest(
            f"{build} is marked bad by {bad.who} ({bad.reason})",
            f"if it is not, run salt-run wb_release.good build={build}",
        )
    # One who was in the change-over when the hold came goes on: the site must not stay there.
    resumed = known.switch is not None and known.switch.after == plan.release
    if hold and plan.needs_golive and not resumed:
        which = f" build={build}" if hold.build else ""
        unhold = f"salt-run wb_release.unhold{which}"
        raise BadRequest(
            f"{hold.build or 'everything'} is held by {hold.who} ({hold.reason})",
            f"{way_out(build)}; if it was fixed, {unhold} has it compared again"
            if hold.who == GATE
            else f"after {unhold} the same command makes it live; orch.push is free to run",
        )


def check_order(request: Request, build: Build, known: Known) -> None:
    """The build is older than what is live."""
    live = known.live
    if live is not None and build < live.build:
        raise BadRequest(
            f"{build} is older than the live {live}",
            "to go back use orch.rollback; a build never goes live after a newer one",
        )


def check_staged(build: Build, settings: Settings, seen: Seen, known: Known) -> None:
    """The build is not there, not right, or not what was sealed."""
    check_staging_answers(settings, seen)
    survey = seen.staging.survey
    if not survey.get("staged"):
        there = ", ".join(str(b) for b in sorted(map(Build.parse, seen.staging.builds)))
        raise BadRequest(
            f"{build} is not staged on {settings.staging}",
            f"stage it there, or name one that is: {there or 'there is none yet'}",
        )
    if problems := survey.get("problems"):
        raise wrong(build, settings, problems)
    if survey.get("changed"):
        raise BadData(
            f"{build} was changed after it was sealed: {', '.join(survey['changed'])}",
            "restore the file, or, if the change is meant and the build was never live, run "
            f"salt {settings.staging} wb_build.unseal {build}",
            node=settings.staging,
        )
    newest = seen.staging.newest
    if not survey.get("sealed") and newest is not None and build < newest:
        raise BadRequest(
            f"{build} was never sealed and {newest} is staged already, "
            "so nobody knows any more which databases were rebuilt for it",
            f"release {newest}",
        )


def wrong(build: Build, settings: Settings, problems: Sequence[str]) -> BadData:
    """What is refused of a build, all of it at once."""
    return BadData(together(problems), f"fix {build} on {settings.staging}", node=settings.staging)


def check_staging_answers(settings: Settings, seen: Seen) -> None:
    """The development server does not answer."""
    if settings.staging in seen.absent:
        raise Away(
            f"{settings.staging} {seen.away(settings.staging)}",
            "bring the development server back first",
            [settings.staging],
        )


def check_announcing(plan: Plan, settings: Settings, seen: Seen, known: Known) -> None:
    """What the plan has to announce can not be: to learn that of a release that is live is late.

    A change-over that was begun is ended all the same.
    """
    # The letter and the post may lack the same.
    reasons = dict.fromkeys(
        why for way in plan.announce for why in seen.staging.unready.get(way, ())
    )
    if reasons and not known.switch:
        raise BadRequest(
            f"{plan.request.build} can not be announced: {together(list(reasons))}",
            "add what is missing (settings as in pillar.example), and give the same command again",
            node=settings.staging,
        )


def check_webapp(seen: Seen, settings: Settings) -> None:
    """The webapp in staging is not a committed revision."""
    webapp = seen.staging.webapp
    if webapp.get("error"):
        raise BadData(webapp["error"], "fix website/staging", node=settings.staging)
    if webapp["modified"]:
        raise BadData(
            f"website/staging has an uncommitted change: {webapp['modified'][0]}",
            "commit or revert it, so that the revision names what is shipped",
            node=settings.staging,
        )
    if webapp.get("rewritten"):
        raise BadData(
            f"revision {webapp['revision']} of website/staging is not the changeset that "
            f"{webapp['rewritten'][0]} was made of, so its commit was amended or replaced",
            "commit once more, so that the webapp gets a revision number of its own",
            node=settings.staging,
        )
    if webapp["revision"] != webapp["tip"]:
        raise BadData(
            f"website/staging stands at revision {webapp['revision']}, its tip is {webapp['tip']}",
            "bring it up to date there first (hg update, or git pull)",
            node=settings.staging,
        )


def check_revision(request: Request, release: Release, known: Known) -> None:
    """The build is live with another webapp."""
    live = known.live
    if live is None or live.build != release.build or live == release:
        return
    if not known.switch or known.switch.after != release:
        raise BadRequest(
            f"{live} is live and website/staging has moved to revision {release.revision}",
            "release the webapp alone: orch.release pillar="
            f"'{{build: {release.build}, minor: True}}'",
        )


def check_pushed(build: object, lacking: Mapping[str, Sequence[str]]) -> None:
    """A node lacks databases of the build, and nothing is going to be fetched."""
    for node, datasets in lacking.items():
        if datasets:
            raise BadRequest(
                f"{build} is not complete on {node} ({datasets[0]} is missing)",
                f"push it first: orch.push pillar='{{build: {build}}}'",
            )
