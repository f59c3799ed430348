-- Stacks, and profiles merged to flame graphs. Definitions and known bias: README.md beside this file.

-- Every stack once, with the frame that names it. A frame of Go's own machinery for waiting names nothing: the function is the
-- first frame from the leaf that is none, or the entry function where all are.
CREATE OR REPLACE VIEW boards.stacks {{on_cluster}} {{definer}} AS
SELECT
  service, stack,
  functions[naming] AS function,
  locations[naming] AS location,
  functions, locations, last_seen
FROM (
  SELECT
    service, stack,
    argMax(s.functions, s.seen_at) AS functions,
    argMax(s.locations, s.seen_at) AS locations,
    max(s.seen_at) AS last_seen,
    greatest(1, arrayLastIndex(
      f -> NOT match(f, '^(runtime|sync|internal/[a-z/]+)[./]|^time\\.Sleep$|\\.runtime_[A-Za-z]+$'), functions
    )) AS naming
  FROM heliograph.stacks AS s
  GROUP BY service, stack
);

-- The kinds of profiles that were stored, and how much each amounts to.
CREATE OR REPLACE VIEW boards.profile_types {{on_cluster}} {{definer}} AS
SELECT
  service, target, profile, sample_type, unit,
  uniqExact(time) AS profiles,
  -- a level (how many, at that moment) is averaged over the profiles, an amount (how much, since the one before) is added up
  sum(value) / if(profile IN ('goroutine', 'heap'), profiles, 1) AS total
FROM heliograph.profile_samples
WHERE time >= {from:DateTime} AND time < {to:DateTime}
GROUP BY service, target, profile, sample_type, unit;

-- All profiles of a service in the window as one tree: depth first, parents before children, as a flame graph wants its rows.
-- Stacks are numbered in the lexicographic order of their functions, so those that share a prefix stand side by side, and the
-- nodes ordered by (first stack, level) are in pre-order. What is pruned is pruned with all that hangs below it, as no child is
-- wider than its parent; its parent's value still holds it.
CREATE OR REPLACE VIEW boards.flame_graph {{on_cluster}} {{definer}} AS
WITH
  {profile:String} IN ('goroutine', 'heap') AS is_level,
  samples AS (
    SELECT target, stack, sum(value) AS value
    FROM heliograph.profile_samples
    WHERE service = {service:String} AND profile = {profile:String} AND sample_type = {sample_type:String}
      AND ({target:String} = '' OR target = {target:String}) AND time >= {from:DateTime} AND time < {to:DateTime}
    GROUP BY target, stack
  ),
  weights AS (
    SELECT target, uniqExact(time) AS profiles
    FROM heliograph.profile_samples
    WHERE is_level AND service = {service:String} AND profile = {profile:String} AND sample_type = {sample_type:String}
      AND ({target:String} = '' OR target = {target:String}) AND time >= {from:DateTime} AND time < {to:DateTime}
    GROUP BY target
  ),
  merged AS (
    SELECT stack, sum(samples.value / if(is_level, profiles, 1)) AS amount
    FROM samples LEFT JOIN weights USING (target)
    GROUP BY stack
    HAVING amount > 0
  ),
  numbered AS (
    SELECT
      functions, amount,
      arrayMap(f -> sipHash64(f), functions) AS names,
      row_number() OVER (ORDER BY functions) AS number,
      lagInFrame(names) OVER (ORDER BY functions) AS names_before,
      arrayFirstIndex((a, b) -> a != b, names, arrayResize(names_before, length(names))) AS parting,
      -- frames that a stack has in common with the one before it
      if(parting = 0, length(names), parting - 1) AS shared
    FROM merged INNER JOIN boards.stacks AS known ON merged.stack = known.stack
    WHERE known.service = {service:String}
  ),
  nodes AS (
    SELECT level, first_stack, sum(amount) AS value, sumIf(amount, level = depth) AS self, any(label) AS label
    FROM (
      SELECT
        amount, length(functions) AS depth, toUInt16(place - 1) AS level, label,
        -- a node begins at the stack that first leaves the path before it at or above the node's level
        max(if(shared < level, number, 0)) OVER (PARTITION BY level ORDER BY number) AS first_stack
      FROM numbered
      ARRAY JOIN arrayPushFront(functions, 'total') AS label, arrayEnumerate(arrayPushFront(functions, '')) AS place
    )
    GROUP BY level, first_stack
  )
SELECT level, value, self, label
FROM (SELECT *, max(value) OVER () AS whole FROM nodes)
WHERE value >= 0.001 * whole
ORDER BY first_stack, level;
