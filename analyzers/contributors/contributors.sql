-- Who contributes how much, week by week, by repository and never by person. Definitions, denominators and known bias: README.md
-- beside this file. Weeks are whole ISO weeks (UTC, Monday first) of the commit's own time: from the week that holds `from` to
-- the last one that starts before `to`, so that no two windows differ by less than a week of people.

CREATE OR REPLACE VIEW boards.contributions_by_week {{on_cluster}} {{definer}} AS
WITH
  -- A caller may hide more than what is set, never less.
  greatest(toUInt32({{people_floor}}), {floor:UInt32}) AS floor_of_people,
  toDateTime64(toMonday({from:DateTime}, 'UTC'), 0, 'UTC') AS first_week,
  toDateTime64(toMonday(greatest({to:DateTime}, toDateTime(1)) - 1, 'UTC') + 7, 0, 'UTC') AS until
SELECT
  toDateTime(toUnixTimestamp(toDateTime(week, 'UTC'))) AS time, repository,
  human_commits, bot_commits, merge_commits, agent_assisted_commits,
  -- NULL where CI is not known to have looked at the week at all.
  if(covered_commits = 0, NULL, successful_commits) AS effective_commits,
  if(people < floor_of_people, NULL, people) AS active_contributors,
  (people > 0 AND people < floor_of_people)::Bool AS hidden_contributors,
  additions, deletions
FROM (
  SELECT
    toMonday(commit_time, 'UTC') AS week, repository,
    countIf(is_human) AS human_commits,
    countIf(NOT is_merge AND bot_rule != '') AS bot_commits,
    countIf(is_merge) AS merge_commits,
    countIf(is_human AND agent_assisted) AS agent_assisted_commits,
    countIf(covered) AS covered_commits,
    countIf(is_human AND covered AND successful) AS successful_commits,
    -- '' is somebody whose name the commit does not tell.
    length(arrayFilter(person -> person != '', groupUniqArrayArrayIf(arrayPushBack(co_authors, author), is_human))) AS people,
    sumIf(c.additions, is_human) AS additions,
    sumIf(c.deletions, is_human) AS deletions
  FROM (
    SELECT
      repository, sha, author, co_authors, bot_rule, agent_assisted, commit_time, additions, deletions,
      length(parents) > 1 AS is_merge, NOT is_merge AND bot_rule = '' AS is_human
    FROM heliograph.commits FINAL
    WHERE NOT gone AND commit_time >= first_week AND commit_time < until
  ) AS c
  LEFT JOIN (
    SELECT repository, sha, successful, true AS covered FROM heliograph.commit_ci FINAL
  ) AS ci ON c.repository = ci.repository AND c.sha = ci.sha
  GROUP BY week, repository
);

-- What is collected: one row per repository, with its commits in the window; 0 where it has none there.
CREATE OR REPLACE VIEW boards.repositories {{on_cluster}} {{definer}} AS
SELECT t.repository AS repository, c.commits AS commits, t.tip AS tip, t.branch AS branch, t.collected_at AS collected_at
FROM (SELECT repository, tip, branch, collected_at FROM heliograph.git_tips FINAL) AS t
LEFT JOIN (
  SELECT repository, uniqExact(sha) AS commits
  FROM heliograph.commits FINAL
  WHERE NOT gone AND commit_time >= {from:DateTime} AND commit_time < {to:DateTime}
  GROUP BY repository
) AS c ON t.repository = c.repository;
