namespace Gateway.Edge.Operations;

/// <summary>What can be asked of a model besides chat.</summary>
internal enum OperationKind
{
    /// <summary>Vectors of texts.</summary>
    Embeddings,
}
