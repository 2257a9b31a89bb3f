def test_database_and_broker_answer(db: None) -> None:
    import os

    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select 1")
        assert cursor.fetchone() == (1,)
    import redis

    assert redis.Redis.from_url(os.environ["BROKER_URL"]).ping()
