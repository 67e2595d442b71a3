"""Who behaves unlike its class: windows, baselines, named clients."""
