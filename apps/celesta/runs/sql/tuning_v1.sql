-- Every statement of these functions finds its rows by key, at most some hundred of them. A plan made
-- while the tables were small (or had no statistics) would scan them, and a session keeps its plans for
-- as long as it lives: so the plans that would be wrong for a large table are ruled out from the start.
DO $$
DECLARE
  f record;
BEGIN
  FOR f IN SELECT oid::regprocedure AS name FROM pg_proc
           WHERE pronamespace = current_schema()::regnamespace AND proname ~
             '^celesta_(claim|complete|start|expand|take_back|relieve|fire|report|sweep|held)_v1$'
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET enable_seqscan = off SET enable_hashjoin = off '
      'SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan', f.name);
  END LOOP;
END $$;
