import time, pytest
from tests.faults.conftest import *
from tests.faults.harness import *
def test_t(world):
    t=time.time()
    def say(x): print(round(time.time()-t,2),x, world.shop.log()["requests"])
    world.slow_down()
    world.start_worker()
    run=world.start(); say("started")
    world.await_requests(1); say("first")
    from products.models import CrawlShard
    def ended():
        crawl_watch(); run.refresh_from_db(); say(list(run.shards.values_list("status","attempt","pages","requests")))
        return run.status!="running"
    wait_until(ended,"x",every=.3)
    say("done"); print(world.shop.log()["paths"])
    world.assert_no_orphans(); say("no orphans")
    print(open(world.house.folder/f"{world.name}.log").read())
