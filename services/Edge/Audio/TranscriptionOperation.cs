using Gateway.Edge.Operations;

namespace Gateway.Edge.Audio;

/// <summary><c>POST /v1/audio/transcriptions</c>: what is said in a recording.</summary>
internal sealed class TranscriptionOperation(PassedReply passed) : RecordingOperation(OperationKind.Transcription, passed)
{
    public override string CallType => "transcription";
}
