// What users import: all layers under one name. Who only reads may import FuseDBServing.
@_exported public import FuseDBJSON
@_exported public import FuseDBPatching
@_exported public import FuseDBServing
@_exported public import FuseDBWriting
