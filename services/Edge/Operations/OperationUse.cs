using Gateway.Contracts;
using Gateway.Pricing;

namespace Gateway.Edge.Operations;

/// <summary>What a request uses, in everything that a provider may bill.</summary>
/// <param name="Tokens">Tokens and images.</param>
/// <param name="Units">Searches, seconds, characters.</param>
internal readonly record struct OperationUse(TokenUsage Tokens, CostUnits Units = default);
