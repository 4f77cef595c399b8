"""Argus retrainer: windows are kept as an archive; models are trained anew, compared and promoted."""
