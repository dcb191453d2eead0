namespace Gateway.Edge.Operations;

/// <summary>What can be asked of a model besides chat.</summary>
internal enum OperationKind
{
    /// <summary>Vectors of texts.</summary>
    Embeddings,

    /// <summary>Documents in the order in which they answer a question.</summary>
    Rerank,

    /// <summary>Whether a text breaks a policy.</summary>
    Moderations,

    /// <summary>Pictures of a text.</summary>
    Images,

    /// <summary>A text, spoken.</summary>
    Speech,

    /// <summary>What is said in a recording.</summary>
    Transcription,

    /// <summary>What is said in a recording, in English.</summary>
    Translation,
}
