// What users import: all layers under one name. A program that only reads may import FuseDBServing instead.
@_exported public import FuseDBJSON
@_exported public import FuseDBPatching
@_exported public import FuseDBServing
@_exported public import FuseDBWriting
