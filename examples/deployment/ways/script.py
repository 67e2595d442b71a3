"""The steps of the solution one after the other, as in a shell script: what they did is noted at the end."""

from .crew import Crew


def change(crew: Crew, folder: str) -> None:
    old, new = crew.state.live, crew.state.next(folder)
    switch = crew.switch
    crew.step("starting")
    crew.orders.start(new)
    crew.step("gating")
    switch.gate.pass_(folder, new.number, new.port, lambda: crew.orders.ended(new))
    crew.step("trying")
    crew.step("switching")
    switch.proxy.route({new.port: 100, old.port: 0})
    crew.step("draining")
    crew.until(lambda: not switch.proxy.under_way(old.port))
    crew.step("stopping")
    crew.stop(old)
    crew.note(live=new, last=new.number)
