using Gateway.Edge.Operations;

namespace Gateway.Edge.Audio;

/// <summary><c>POST /v1/audio/translations</c>: what is said in a recording, in English.</summary>
internal sealed class TranslationOperation(PassedReply passed) : RecordingOperation(OperationKind.Translation, passed)
{
    public override string CallType => "translation";
}
