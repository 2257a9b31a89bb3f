-- States, and that an end belongs to the final ones and to no other: the law of celesta.runs.states as check
-- constraints (a test compares them). As functions: PostgreSQL reads the text of a constraint anew in every
-- statement, and two lists of states made up a tenth of the cost of moving a node.
CREATE FUNCTION celesta_run_law_v1(state text, finished_at timestamptz)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN CASE WHEN state IN ('succeeded', 'failed', 'cancelled') THEN finished_at IS NOT NULL
              ELSE finished_at IS NULL AND state IN ('pending', 'running', 'paused', 'cancelling') END;
END $$;

CREATE FUNCTION celesta_node_run_law_v1(state text, finished_at timestamptz)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN CASE WHEN state IN ('succeeded', 'failed', 'skipped', 'upstream_failed', 'cancelled')
              THEN finished_at IS NOT NULL
              ELSE finished_at IS NULL AND state IN ('pending', 'ready', 'running', 'waiting') END;
END $$;

ALTER TABLE celesta_run ADD CONSTRAINT celesta_run_law CHECK (celesta_run_law_v1(state, finished_at));
ALTER TABLE celesta_node_run ADD CONSTRAINT celesta_node_run_law
  CHECK (celesta_node_run_law_v1(state, finished_at));
