// The imported globals of the module: addresses of C functions that Emscripten's JavaScript would implement (WebGL and the console).
// Owns their names. None is implemented here: every address is 0, the null function pointer, and calling it traps.

/** Without their prefix "emscripten_gl". */
const WEBGL = `
  BindVertexArrayOES DeleteVertexArraysOES GenVertexArraysOES IsVertexArrayOES DrawBuffersWEBGL
  DrawArraysInstancedANGLE DrawElementsInstancedANGLE VertexAttribDivisorANGLE GenQueriesEXT
  DeleteQueriesEXT IsQueryEXT BeginQueryEXT EndQueryEXT QueryCounterEXT GetQueryivEXT GetQueryObjectivEXT
  GetQueryObjectuivEXT GetQueryObjecti64vEXT GetQueryObjectui64vEXT VertexAttribDivisorEXT
  DrawArraysInstancedEXT DrawElementsInstancedNV DrawBuffersEXT ActiveTexture AttachShader
  BindAttribLocation BindBuffer BindFramebuffer BindRenderbuffer BindTexture BlendColor BlendEquation
  BlendEquationSeparate BlendFunc BlendFuncSeparate BufferData BufferSubData CheckFramebufferStatus Clear
  ClearColor ClearDepthf ClearStencil ColorMask CompileShader CompressedTexImage2D CompressedTexSubImage2D
  CopyTexImage2D CopyTexSubImage2D CreateProgram CreateShader CullFace DeleteBuffers DeleteFramebuffers
  DeleteProgram DeleteRenderbuffers DeleteShader DeleteTextures DepthFunc DepthMask DepthRangef
  DetachShader Disable DisableVertexAttribArray DrawArrays DrawElements Enable EnableVertexAttribArray
  Finish Flush FramebufferRenderbuffer FramebufferTexture2D FrontFace GenBuffers GenerateMipmap
  GenFramebuffers GenRenderbuffers GenTextures GetActiveAttrib GetActiveUniform GetAttachedShaders
  GetAttribLocation GetBooleanv GetBufferParameteriv GetError GetFloatv
  GetFramebufferAttachmentParameteriv GetIntegerv GetProgramiv GetProgramInfoLog
  GetRenderbufferParameteriv GetShaderiv GetShaderInfoLog GetShaderPrecisionFormat GetShaderSource
  GetString GetTexParameterfv GetTexParameteriv GetUniformfv GetUniformiv GetUniformLocation
  GetVertexAttribfv GetVertexAttribiv GetVertexAttribPointerv Hint IsBuffer IsEnabled IsFramebuffer
  IsProgram IsRenderbuffer IsShader IsTexture LineWidth LinkProgram PixelStorei PolygonOffset ReadPixels
  ReleaseShaderCompiler RenderbufferStorage SampleCoverage Scissor ShaderBinary ShaderSource StencilFunc
  StencilFuncSeparate StencilMask StencilMaskSeparate StencilOp StencilOpSeparate TexImage2D TexParameterf
  TexParameterfv TexParameteri TexParameteriv TexSubImage2D Uniform1f Uniform1fv Uniform1i Uniform1iv
  Uniform2f Uniform2fv Uniform2i Uniform2iv Uniform3f Uniform3fv Uniform3i Uniform3iv Uniform4f Uniform4fv
  Uniform4i Uniform4iv UniformMatrix2fv UniformMatrix3fv UniformMatrix4fv UseProgram ValidateProgram
  VertexAttrib1f VertexAttrib1fv VertexAttrib2f VertexAttrib2fv VertexAttrib3f VertexAttrib3fv
  VertexAttrib4f VertexAttrib4fv VertexAttribPointer Viewport PolygonOffsetClampEXT ClipControlEXT
  PolygonModeWEBGL ReadBuffer DrawRangeElements TexImage3D TexSubImage3D CopyTexSubImage3D
  CompressedTexImage3D CompressedTexSubImage3D GenQueries DeleteQueries IsQuery BeginQuery EndQuery
  GetQueryiv GetQueryObjectuiv DrawBuffers UniformMatrix2x3fv UniformMatrix3x2fv UniformMatrix2x4fv
  UniformMatrix4x2fv UniformMatrix3x4fv UniformMatrix4x3fv BlitFramebuffer RenderbufferStorageMultisample
  FramebufferTextureLayer BindVertexArray DeleteVertexArrays GenVertexArrays IsVertexArray GetIntegeri_v
  BeginTransformFeedback EndTransformFeedback BindBufferRange BindBufferBase TransformFeedbackVaryings
  GetTransformFeedbackVarying VertexAttribIPointer GetVertexAttribIiv GetVertexAttribIuiv VertexAttribI4i
  VertexAttribI4ui VertexAttribI4iv VertexAttribI4uiv GetUniformuiv GetFragDataLocation Uniform1ui
  Uniform2ui Uniform3ui Uniform4ui Uniform1uiv Uniform2uiv Uniform3uiv Uniform4uiv ClearBufferiv
  ClearBufferuiv ClearBufferfv ClearBufferfi GetStringi CopyBufferSubData GetUniformIndices
  GetActiveUniformsiv GetUniformBlockIndex GetActiveUniformBlockiv GetActiveUniformBlockName
  UniformBlockBinding DrawArraysInstanced DrawElementsInstanced FenceSync IsSync DeleteSync ClientWaitSync
  WaitSync GetInteger64v GetSynciv GetInteger64i_v GetBufferParameteri64v GenSamplers DeleteSamplers
  IsSampler BindSampler SamplerParameteri SamplerParameteriv SamplerParameterf SamplerParameterfv
  GetSamplerParameteriv GetSamplerParameterfv VertexAttribDivisor BindTransformFeedback
  DeleteTransformFeedbacks GenTransformFeedbacks IsTransformFeedback PauseTransformFeedback
  ResumeTransformFeedback GetProgramBinary ProgramBinary ProgramParameteri InvalidateFramebuffer
  InvalidateSubFramebuffer TexStorage2D TexStorage3D GetInternalformativ VertexAttribDivisorNV
  VertexAttribDivisorARB DrawArraysInstancedNV DrawArraysInstancedARB DrawElementsInstancedEXT
  DrawElementsInstancedARB
`

const CONSOLE = `
  emscripten_console_log emscripten_console_error emscripten_console_warn emscripten_console_trace
  emscripten_out emscripten_err
`

/** Imports of "GOT.func", in the order of the module. */
export const FUNCTION_GLOBALS: readonly string[] = [
  ...words(WEBGL).map((name) => `emscripten_gl${name}`),
  ...words(CONSOLE),
]

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}
