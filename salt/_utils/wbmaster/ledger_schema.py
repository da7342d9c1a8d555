"""The tables of the ledger."""

SCHEMA = """
-- The ledger: what was asked for, what was done, what is live.
create table if not exists run (
    id text primary key,
    kind text not null,
    request text not null,            -- JSON: the pillar that asked for it
    build text not null default '',
    release text not null default '',
    cause text not null,              -- command, board, landed, event, supervisor
    pid integer not null,
    began real not null,              -- seconds since 1970
    ended real,
    outcome text,                     -- done, nothing, failed, died; waiting until it is taken up
    error text not null default '',
    forecast text not null default '{}',
    figures text not null default '{}',
    who text not null default '',
    reason text not null default ''   -- why, where somebody said it
);
create table if not exists step (
    run text not null references run(id),
    step text not null,
    began real not null,
    ended real,
    outcome text,                     -- done, failed
    error text not null default '',
    figures text not null default '{}',
    primary key (run, step)
);
create table if not exists release (
    name text primary key,
    digest text not null,             -- of the manifest of its webapp
    build_digest text not null,       -- of the manifest of its build
    databases text not null,          -- JSON: database -> directory
    datasets text not null,           -- JSON: ids of everything that it uses
    published real,
    posted real,
    mailed real
);
-- The releases that were live; the last one that was not left is live now.
create table if not exists live (
    number integer primary key autoincrement,
    release text not null references release(name),
    run text not null,
    since real not null,
    gone_back real                    -- left by going back: no way back leads to it
);
-- A change-over that was begun and has neither passed its checks nor been undone.
create table if not exists switch (
    id integer primary key check (id = 1),
    run text not null,
    before text not null,
    after text not null
);
-- A counter of change-overs (wbcore.golive.epoch).
create table if not exists epoch (
    id integer primary key check (id = 1),
    number integer not null
);
-- The node that is out of the pool because something is restarted on it.
create table if not exists resting (
    node text primary key
);
-- What was said about builds; build '' stands for all of them.
create table if not exists verdict (
    kind text not null,               -- hold, bad, accepted
    build text not null,
    reason text not null,
    who text not null,
    since real not null,
    digest text not null default '',  -- of the sealing that was accepted
    primary key (kind, build)
);
-- Builds that landed, and new revisions of the webapp; what each of them started, and why.
create table if not exists landing (
    build text not null,
    revision text not null,           -- '' for a build; 0.02-1351 for a minor revision
    cause text not null,              -- landed, poll, event, command
    seen real not null,
    acknowledged real not null,       -- 0 until the development server knows the answer
    decided real not null,
    state text not null,              -- waiting, started, answered
    started text not null,            -- kind of the last run started for it
    starts integer not null,
    answer text not null,
    primary key (build, revision)
);
-- What was not as it should be on a node, by its own account.
create table if not exists drift (
    number integer primary key autoincrement,
    node text not null,
    kind text not null,               -- drift, caught_up, rotted, failed
    changes text not null,            -- JSON: [{id, what}]
    more integer not null,            -- so many others
    since real not null,
    last real not null,               -- told again the last time
    times integer not null
);
-- Nodes that a release left out, until they are asked to catch up.
create table if not exists away (
    node text primary key,
    run text not null
);
-- How many runs were forgotten.
create table if not exists forgotten_run (
    kind text not null,
    outcome text not null,
    runs integer not null,
    primary key (kind, outcome)
);
pragma user_version = 10;
"""

# A ledger below it gets the tables, and the columns, that it lacks when it is next opened.
VERSION = 10
# (table, column, what it is), of those that a table did not have from the beginning.
COLUMNS = (
    ("verdict", "digest", "text not null default ''"),
    ("run", "who", "text not null default ''"),
    ("run", "reason", "text not null default ''"),
)
