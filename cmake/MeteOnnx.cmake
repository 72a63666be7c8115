# libonnx_proto brings protobuf, whose start costs more than most verbs, so it lives in a plugin that only reading ONNX files
# opens. The generated classes suffice: libonnx itself (schemas, shape inference) is not linked.
set(METE_HAVE_ONNX OFF)
find_path(ONNX_INCLUDE onnx/onnx-ml.pb.h)
find_library(ONNX_PROTO_LIBRARY onnx_proto)
find_package(Protobuf QUIET)
if(ONNX_INCLUDE AND ONNX_PROTO_LIBRARY AND Protobuf_FOUND)
  set(METE_HAVE_ONNX ON)
  # onnx_file.cc is shared with the room, for the names of types; it has no state.
  add_library(mete_onnx MODULE
    ${PROJECT_SOURCE_DIR}/mete/graph/onnx/proto/onnx_plugin.cc ${PROJECT_SOURCE_DIR}/mete/graph/onnx/onnx_names.cc
    ${PROJECT_SOURCE_DIR}/mete/base/utf8.cc)
  target_include_directories(mete_onnx SYSTEM PRIVATE ${ONNX_INCLUDE} ${Protobuf_INCLUDE_DIRS})
  target_include_directories(mete_onnx PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(mete_onnx PRIVATE METE_VERSION="${PROJECT_VERSION}" ONNX_NAMESPACE=onnx ONNX_ML=1)
  target_link_libraries(mete_onnx PRIVATE mete_options fmt::fmt ${ONNX_PROTO_LIBRARY} ${Protobuf_LIBRARIES})
  set_target_properties(mete_onnx PROPERTIES PREFIX "")
  # Never unloaded: protobuf's registers outlive it.
  target_link_options(mete_onnx PRIVATE -Wl,-z,nodelete)
  add_dependencies(mete mete_onnx)
  if(TARGET mete_graph_test)
    add_dependencies(mete_graph_test mete_onnx)
  endif()
endif()
