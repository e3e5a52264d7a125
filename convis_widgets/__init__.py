"""Live, linked views and controls for the models of `convis_core`, in Jupyter."""
