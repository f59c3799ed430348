-- Stacks whose goroutines pile up. Definitions and known bias: README.md beside this file.

-- Goroutine polls that answered, per target.
CREATE OR REPLACE VIEW boards.goroutine_polls {{on_cluster}} {{definer}} AS
SELECT service, target, uniqExact(time) AS polls
FROM heliograph.target_polls
WHERE kind = 'goroutine' AND outcome = 'ok' AND time >= {from:DateTime} AND time < least({to:DateTime}, now())
GROUP BY service, target;

-- The last `windows` windows of `window` seconds before `to`; of each stack the least goroutines in each. A poll without the
-- stack counts 0; a poll whose profile is not stored yet does not count. Suspect is what has polls in every window and a
-- minimum above the one before in each.
CREATE OR REPLACE VIEW boards.goroutine_suspects {{on_cluster}} {{definer}} AS
WITH
  toUInt32(greatest({window:UInt32}, 1)) AS seconds,
  toUInt32(greatest({windows:UInt32}, 2)) AS many,
  least({to:DateTime}, now()) AS until,
  until - toIntervalSecond(seconds * many) AS began,
  samples AS (
    SELECT
      service, target, stack,
      intDiv(toUnixTimestamp(time) - toUnixTimestamp(began), seconds) AS slot,
      min(value) AS least_value, uniqExact(time) AS seen
    FROM heliograph.profile_samples
    WHERE profile = 'goroutine' AND time >= began AND time < until
    GROUP BY service, target, stack, slot
  ),
  polled AS (
    SELECT service, target, intDiv(toUnixTimestamp(time) - toUnixTimestamp(began), seconds) AS slot, uniqExact(time) AS polls
    FROM heliograph.target_polls
    WHERE kind = 'goroutine' AND outcome = 'ok' AND time >= began AND time < until
      AND (service, target, time) GLOBAL IN (
        SELECT service, target, time FROM heliograph.profile_samples
        WHERE profile = 'goroutine' AND time >= began AND time < until
      )
    GROUP BY service, target, slot
  ),
  followed AS (
    SELECT service, target, sum(polled.polls) AS polls
    FROM polled
    GROUP BY service, target
    HAVING count() = many
  ),
  minima_of AS (
    SELECT
      samples.service AS service, samples.target AS target, samples.stack AS stack,
      CAST(groupArray((samples.slot, if(seen < polls, 0, least_value))), 'Map(Int64, Int64)') AS by_slot,
      arrayMap(slot -> by_slot[slot], range(many)) AS minima
    FROM samples
    INNER JOIN polled ON samples.service = polled.service AND samples.target = polled.target AND samples.slot = polled.slot
    GROUP BY service, target, stack
  ),
  rising AS (
    SELECT
      minima_of.service AS service, minima_of.target AS target, minima_of.stack AS stack, minima, followed.polls AS polls
    FROM minima_of
    INNER JOIN followed ON minima_of.service = followed.service AND minima_of.target = followed.target
    WHERE arrayAll((before, after) -> after > before, arrayPopBack(minima), arrayPopFront(minima)) AND minima[-1] > 0
  )
SELECT
  rising.service AS service, rising.target AS target, rising.stack AS stack,
  known.function AS function, known.location AS location, known.functions AS functions,
  minima,
  minima[1] AS first_minimum,
  minima[-1] AS last_minimum,
  last_minimum - first_minimum AS growth,
  began AS since,
  polls
FROM rising
-- few are suspect: naming them alone costs less than naming every stack, though they are looked for twice
LEFT JOIN (SELECT * FROM boards.stacks WHERE stack GLOBAL IN (SELECT stack FROM rising)) AS known
  ON rising.service = known.service AND rising.stack = known.stack;
