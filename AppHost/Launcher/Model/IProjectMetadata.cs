using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Where a project of the solution is. The build makes one class in namespace <c>Projects</c> for each project referenced.</summary>
public interface IProjectMetadata : IResourceAnnotation
{
    string ProjectPath { get; }
}
