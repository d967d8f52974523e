// A program that only reads imports FuseDBServing alone.
@_exported public import FuseDBFormat
@_exported public import FuseDBReading
@_exported public import FuseDBSystem
@_exported public import FuseDBValues
